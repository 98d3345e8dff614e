# Installation: headers, libraries, the command, and a package a consumer finds.
