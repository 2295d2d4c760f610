"""Language: Chinese text as text: normalising, sound, places, claims; strings in, strings out."""
