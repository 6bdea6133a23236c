"""What every service stands on: bus, postgres, lifecycle, health, logs. Knows no domain."""
