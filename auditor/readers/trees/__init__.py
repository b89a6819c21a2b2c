"""What a program would make of its files, where the files are all there is: one program a module. Pure."""
