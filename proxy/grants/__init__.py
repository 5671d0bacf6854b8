"""What each upstream role may do in PostgreSQL itself: just the column privileges that follow from the policy (I2)."""
