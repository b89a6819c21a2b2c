"""What a start of the system makes of the files of a tree, as they lie there, before anybody reads them. Pure."""
