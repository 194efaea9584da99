// Package traces begins a trace and follows one, with OpenTelemetry's own propagator, as a program does
// whose spans are sent somewhere.
package traces

import (
	"context"
	"crypto/rand"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

var w3c propagation.TraceContext

// Begin returns what a program sends along with a job, in whose span it is enqueued.
func Begin() map[string]string {
	var ids trace.SpanContextConfig
	rand.Read(ids.TraceID[:])
	rand.Read(ids.SpanID[:])
	ids.TraceFlags = trace.FlagsSampled
	sent := propagation.MapCarrier{}
	w3c.Inject(trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(ids)), sent)
	return sent
}

// Follow returns the trace and the span that were sent along with a job, and nothing if there is none.
func Follow(sent map[string]string) string {
	span := trace.SpanContextFromContext(w3c.Extract(context.Background(), propagation.MapCarrier(sent)))
	if !span.IsValid() {
		return ""
	}
	return span.TraceID().String() + "/" + span.SpanID().String()
}
