// Places in Go: it has no labels, so where functions begin is what has to be found.
package main

import "os"

type Cart struct{ total int }

//go:noinline
func (cart *Cart) Fill(x int) { /* fill begins */
	for i := 0; i < x; i++ {
		cart.total += hot(i)
	}
}

//go:noinline
func hot(x int) int { /* hot begins */
	return x * 3 /* in hot */
}

func main() {
	cart := Cart{}
	cart.Fill(len(os.Args) * 3)
	if cart.total != 9 {
		os.Exit(1)
	}
}
