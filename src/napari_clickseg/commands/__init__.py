"""The console scripts that need no viewer."""
