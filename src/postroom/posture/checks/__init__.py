"""One check a file: what it reads, by which standard, and what of it is a finding. Listed in the catalogue."""
