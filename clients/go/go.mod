module barque/clients/go

go 1.24
