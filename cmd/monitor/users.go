package main

import (
	"os/user"
	"strconv"
)

// userName returns the name of a user, or the number where the user has none.
func userName(id int) string {
	number := strconv.Itoa(id)
	if u, err := user.LookupId(number); err == nil && u.Username != "" {
		return u.Username
	}
	return number
}
