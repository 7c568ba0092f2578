// Tool prints whether it was built with the tag outsider.
package main

import "fmt"

var tag = "without the tag"

func main() { fmt.Println(tag) }
