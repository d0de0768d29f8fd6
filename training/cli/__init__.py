"""The commands of training: `ctrl-harness data`, `synthesize`, `train`, `trace`."""
