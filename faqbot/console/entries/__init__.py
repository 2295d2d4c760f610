"""Pages that list, show and change entries."""
