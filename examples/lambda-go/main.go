// A Lambda custom runtime with nothing but net/http.
package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(api + "next")
		if err != nil {
			log.Fatal(err)
		}
		event, err := io.ReadAll(next.Body)
		next.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		answer, err := http.Post(api+id+"/response", "application/json", bytes.NewReader(append(append([]byte(`{"echo":`), event...), '}')))
		if err != nil {
			log.Fatal(err)
		}
		answer.Body.Close()
	}
}
