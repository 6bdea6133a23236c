"""Long outages: each dependency away for longer than every lease, while jobs are in every stage."""
