"""The reward in other people's verl runs, and verl on a CPU for tests."""
