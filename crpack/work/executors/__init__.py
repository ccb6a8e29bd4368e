"""Where an action's programs run: this machine, an emulator on it, another machine."""
