"""Making results from sources: toolchains, plan, build key, drivers, runner, audit."""
