using System.Collections.Immutable;
using System.Text;

namespace Ccp.ScriptedUpstream;

/// <summary>What the upstream does with one request, step by step. Immutable: one script may answer many requests.</summary>
/// <remarks>
/// <code>
/// Script.Head(200, ("content-type", "text/event-stream"))
///     .Send(SseEvents.MessageStart("claude-opus-5-5", usage))
///     .Signal(started).WaitFor(mayGoOn)
///     .Cut();
/// </code>
/// A script whose steps run out ends the answer properly. A client that leaves ends the script at the step it has reached.
/// </remarks>
public sealed class Script
{
    private readonly ImmutableArray<ScriptStep> _steps;

    private Script(ImmutableArray<ScriptStep> steps) => _steps = steps;

    /// <summary>The empty script, for what begins with a wait: <c>Script.Begin.WaitFor(gate).Then(Answers.Overloaded())</c>.</summary>
    public static Script Begin { get; } = new([]);

    /// <summary>All bytes the script sends as a body, in one piece: what a client should have received in the end.</summary>
    public byte[] Body => [.. _steps.OfType<SendStep>().SelectMany(step => step.Bytes.ToArray())];

    /// <summary>Sends status and headers at once, before any body. Without a content-length HTTP/1.1 answers are chunked.</summary>
    public static Script Head(int status, params (string Name, string Value)[] headers) =>
        Begin.With(new HeadStep(status, [.. headers]));

    /// <summary>A whole answer with a content-length, sent in one piece.</summary>
    public static Script Json(int status, string json, params (string Name, string Value)[] headers) =>
        Whole(status, Encoding.UTF8.GetBytes(json), [("content-type", "application/json"), .. headers]);

    /// <summary>As <see cref="Json"/>, of any content type. A header named twice keeps the later value.</summary>
    public static Script Whole(int status, byte[] body, params (string Name, string Value)[] headers) =>
        Begin.With(new HeadStep(status, [.. headers, ("content-length", $"{body.Length}")]) { Flushes = false })
            .With(new SendStep(body));

    /// <summary>Takes the request and never answers, until the client gives up.</summary>
    public static Script Stall() => Begin.Hang();

    /// <summary>Writes and flushes these bytes as one piece; returns when they are in the socket.</summary>
    public Script Send(ReadOnlyMemory<byte> bytes) => With(new SendStep(bytes));

    public Script Send(string text) => Send(Encoding.UTF8.GetBytes(text));

    /// <summary>Sends the bytes cut at these offsets, each piece by itself.</summary>
    /// <remarks>A receiver that is slow to read may still find two pieces together; where that matters, put a gate between.</remarks>
    public Script SendInPieces(ReadOnlyMemory<byte> bytes, params int[] cuts)
    {
        var script = this;
        var from = 0;
        foreach (var cut in cuts.Append(bytes.Length))
        {
            script = script.Send(bytes[from..cut]);
            from = cut;
        }

        return script;
    }

    public Script WaitFor(Gate gate) => With(new WaitStep(gate));

    /// <summary>Tells the test that the script got this far.</summary>
    public Script Signal(Gate gate) => With(new SignalStep(gate));

    /// <summary>Runs something of the test's own when the script has got this far. It must not wait.</summary>
    public Script Do(Action action) => With(new DoStep(action));

    /// <summary>Real time passes. For demos and load only: a test waits for a <see cref="Gate"/>.</summary>
    public Script Delay(TimeSpan time) => With(new DelayStep(time));

    /// <summary>Says nothing more, and keeps the answer open until the client gives up.</summary>
    public Script Hang() => With(new HangStep());

    /// <summary>Breaks the connection off (HTTP/1.1) or resets the stream (HTTP/2). What was sent before it has left.</summary>
    public Script Cut() => With(new CutStep());

    /// <summary>Ends the answer properly; steps after it are not reached.</summary>
    public Script End() => With(new EndStep());

    /// <summary>This script and then that one.</summary>
    public Script Then(Script next) => new(_steps.AddRange(next._steps));

    /// <summary>The same with a pause before every send but the first, so that a person sees text arrive.</summary>
    public Script Paced(TimeSpan pause)
    {
        var first = _steps.FirstOrDefault(step => step is SendStep);
        return pause == TimeSpan.Zero
            ? this
            : new([.. _steps.SelectMany(step => step is SendStep && step != first ? [new DelayStep(pause), step] : new[] { step })]);
    }

    internal async Task RunAsync(Exchange exchange)
    {
        foreach (var step in _steps)
        {
            exchange.ClientLeft.ThrowIfCancellationRequested();
            if (!await step.RunAsync(exchange))
            {
                return;
            }
        }
    }

    private Script With(ScriptStep step) => new(_steps.Add(step));
}
