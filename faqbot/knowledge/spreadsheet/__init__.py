"""Knowledge as xlsx and csv, both ways."""
