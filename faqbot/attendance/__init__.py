"""Attendance: the monthly report, its confirmations, and the commands about punches and leave."""
