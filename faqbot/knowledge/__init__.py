"""Knowledge files into a snapshot, kept live."""
