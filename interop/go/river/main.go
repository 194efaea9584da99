// Command river is the Go side of the interop tests on Postgres: a client, a worker and a migrator
// made of the real River library, driven from Python over lines of JSON.
//
//	river ask URL             answers one request a line, from standard input
//	river work URL SETTINGS   works until SIGTERM, and tells what it sees
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5/pgxpool"
)

var commands = map[string]func(pool *pgxpool.Pool, said []string) error{
	"ask":  ask,
	"work": work,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "river:", err)
		os.Exit(1)
	}
}

func run(said []string) error {
	if len(said) < 2 || commands[said[0]] == nil {
		return fmt.Errorf("say ask or work, then where Postgres is")
	}
	pool, err := pgxpool.New(context.Background(), said[1])
	if err != nil {
		return err
	}
	defer pool.Close()
	return commands[said[0]](pool, said[2:])
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

// quiet keeps River's own lines out of the tests' output.
func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
