namespace Ccp.Store;

/// <summary>Something waiting to be written.</summary>
internal abstract class StoreOperation(bool mustHappen)
{
    public bool MustHappen { get; } = mustHappen;

    /// <summary>Why the last try was undone; null when it was not.</summary>
    public Exception? Rejected { get; set; }

    /// <summary>True once it has failed by itself: from then on it is tried alone, so that it takes no other with it.</summary>
    public bool IsSuspect { get; set; }

    public abstract void Apply(Database database);

    public abstract void Complete();

    public abstract void Fail(Exception error);
}

/// <param name="onDisk">Run on the writer's thread once the result is on disk, in the order of the writes: what memory makes of it. Must not block.</param>
internal sealed class StoreOperation<T>(Func<Database, T> write, Action<T>? onDisk, bool mustHappen) : StoreOperation(mustHappen)
{
    // Continuations must not run on the writer's thread: it would serve a response instead of committing the next group.
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;

    public Task<T> Done => _done.Task;

    public override void Apply(Database database) => _result = write(database);

    public override void Complete()
    {
        try
        {
            onDisk?.Invoke(_result!);
            _done.TrySetResult(_result!);
        }
        catch (Exception error) when (error is OverflowException or InvalidOperationException or ArgumentException)
        {
            // Such as a balance beyond what can be counted. It is written, and the caller's to hear of: the writer goes on, and nothing of the group is tried again.
            _done.TrySetException(error);
        }
    }

    public override void Fail(Exception error) => _done.TrySetException(error);
}
