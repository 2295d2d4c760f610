"""Who may see, ask and order what; what must not be kept or said aloud."""
