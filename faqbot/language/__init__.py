"""Language processing of Chinese text, from strings to strings: normalising, sound, places, claims."""
