module dure

go 1.19
