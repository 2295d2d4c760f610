"""What is done when an order is given in chat: one file a subject. A deed may run again after a crash."""
