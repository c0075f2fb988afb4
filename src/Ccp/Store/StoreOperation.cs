namespace Ccp.Store;

/// <summary>Something waiting to be written.</summary>
internal abstract class StoreOperation(bool mustHappen)
{
    public bool MustHappen { get; } = mustHappen;

    /// <summary>Why the last try was undone; null when it was not.</summary>
    public Exception? Rejected { get; set; }

    public abstract void Apply(Database database);

    public abstract void Complete();

    public abstract void Fail(Exception error);
}

internal sealed class StoreOperation<T>(Func<Database, T> write, bool mustHappen) : StoreOperation(mustHappen)
{
    // Continuations must not run on the writer's thread: it would serve a response instead of committing the next group.
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;

    public Task<T> Done => _done.Task;

    public override void Apply(Database database) => _result = write(database);

    public override void Complete() => _done.TrySetResult(_result!);

    public override void Fail(Exception error) => _done.TrySetException(error);
}
