"""What can be asked of a watch besides its turn."""

RECONCILE = "reconcile"
