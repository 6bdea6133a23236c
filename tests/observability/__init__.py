"""What the person on call is shown and told: alerts, dashboard and runbook against the code that counts."""
