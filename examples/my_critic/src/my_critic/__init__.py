"""A critic for ctrl-harness."""
