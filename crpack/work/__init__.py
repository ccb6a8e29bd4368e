"""Running a solution's actions and judging their results, through an executor."""
