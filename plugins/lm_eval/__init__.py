"""Our tasks and the critic's loop inside lm-eval."""
