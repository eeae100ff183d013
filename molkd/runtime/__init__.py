"""What every part stands on: files, processes, memory, devices, settings, the registry."""
