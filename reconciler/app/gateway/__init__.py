"""What a gateway does, apart from its HTTP: queue, delivery, screen, reminders; and how others find and ask one."""
