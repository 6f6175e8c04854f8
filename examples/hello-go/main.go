package main

import (
	"dure"
	"encoding/json"
)

func main() {
	dure.Serve(func(ctx *dure.Context, event json.RawMessage) (any, error) {
		person := struct{ Name string }{"world"}
		err := json.Unmarshal(event, &person)
		return map[string]string{"hello": person.Name}, err
	})
}
