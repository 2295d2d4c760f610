"""Reads and writes the knowledge files: in a folder, or shared by replicas in the store."""
