// What every shim's contract test asks of its function.
package main

import (
	"dure"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

type request struct {
	Do, Why, File, Start string
	Value                json.RawMessage
	Lines, Pieces        []string
	Count, Size          int
}

func until(path string) {
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func run(ctx *dure.Context, event json.RawMessage) (any, error) {
	var asked request
	if err := json.Unmarshal(event, &asked); err != nil {
		return nil, err
	}
	switch asked.Do {
	case "echo":
		return asked.Value, nil
	case "fail":
		return nil, errors.New("it broke: " + asked.Why)
	case "log":
		for _, line := range asked.Lines {
			ctx.Log(line)
		}
		ctx.Log("unfinished")
		return nil, nil
	case "flood":
		until(asked.Start)
		for number := 0; number < asked.Count; number++ {
			ctx.Logf("%07d %s", number, strings.Repeat("x", 92))
		}
		return nil, nil
	case "big":
		return strings.Repeat("x", asked.Size), nil
	case "wait":
		ctx.Log("waiting")
		until(asked.File)
		return ctx.Attempt(), nil
	case "count":
		file, err := os.OpenFile(asked.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		fmt.Fprintln(file, "once")
		return 1, nil
	case "checkpoint":
		return checkpoint(ctx)
	case "steps":
		return steps(ctx)
	case "stream":
		for _, piece := range asked.Pieces {
			ctx.Write([]byte(piece))
			if asked.File != "" {
				until(asked.File)
			}
		}
		return nil, nil
	case "who":
		remaining := int64(0)
		if deadline, limited := ctx.Deadline(); limited {
			remaining = time.Until(deadline).Milliseconds()
		}
		return map[string]any{"id": ctx.ID(), "attempt": ctx.Attempt(), "mayHaveRun": ctx.MayHaveRun(), "function": ctx.FunctionName(),
			"version": ctx.FunctionVersion(), "setting": os.Getenv("SETTING"), "remaining": remaining}, nil
	case "panic":
		var nothing *request
		return nothing.Do, nil
	}
	return nil, fmt.Errorf("do what? %s", asked.Do)
}

func checkpoint(ctx *dure.Context) (any, error) {
	folder, err := ctx.CheckpointDir()
	if err != nil {
		return nil, err
	}
	before, _ := os.ReadFile(folder + "/attempts")
	all := fmt.Sprintf("%s%d ", before, ctx.Attempt())
	return all, os.WriteFile(folder+"/attempts", []byte(all), 0o600)
}

func steps(ctx *dure.Context) (any, error) {
	ran := []string{}
	var one, two any
	err := ctx.Step("one", &one, func() (any, error) { ran = append(ran, "one"); return 1, nil })
	if err == nil {
		err = ctx.Step("zwei é", &two, func() (any, error) { ran = append(ran, "zwei é"); return []int{2}, nil })
	}
	return map[string]any{"results": []any{one, two}, "ran": ran}, err
}

func main() { dure.Serve(run) }
