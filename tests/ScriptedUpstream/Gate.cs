namespace Ccp.ScriptedUpstream;

/// <summary>A door between a test and a script: one side opens it, the other waits. Once open, it stays open.</summary>
public sealed class Gate
{
    // Continuations run elsewhere: the one who opens must not find itself running the other side's code.
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsOpen => _opened.Task.IsCompleted;

    public void Open() => _opened.TrySetResult();

    public Task WaitAsync(CancellationToken cancellation = default) => _opened.Task.WaitAsync(cancellation);
}
