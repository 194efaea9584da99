// Command asynq is the Go side of the interop tests: a client, a worker, a scheduler and an
// inspector made of the real asynq library, driven from Python over lines of JSON.
//
//	asynq ask URL                  answers one request a line, from standard input
//	asynq work URL SETTINGS        works until SIGTERM, and tells what it sees
//	asynq schedule URL SCHEDULES   enqueues by the clock until SIGTERM
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/hibiken/asynq"
)

var commands = map[string]func(redis asynq.RedisConnOpt, said []string) error{
	"ask":      ask,
	"work":     work,
	"schedule": schedule,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "asynq:", err)
		os.Exit(1)
	}
}

func run(said []string) error {
	if len(said) < 2 || commands[said[0]] == nil {
		return fmt.Errorf("say ask, work or schedule, then where Redis is")
	}
	redis, err := asynq.ParseRedisURI(said[1])
	if err != nil {
		return err
	}
	return commands[said[0]](redis, said[2:])
}

var out struct {
	sync.Mutex
	*json.Encoder
}

func init() { out.Encoder = json.NewEncoder(os.Stdout) }

// say writes one line.
func say(value any) {
	out.Lock()
	defer out.Unlock()
	if err := out.Encode(value); err != nil {
		os.Exit(1) // nobody listens any more
	}
}

// stopped waits until somebody asks this process to end.
func stopped() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	<-asked
}

// quiet keeps asynq's own lines out of the tests' output, but for what went wrong.
const quiet = asynq.ErrorLevel
