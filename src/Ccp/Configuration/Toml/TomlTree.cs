namespace Ccp.Configuration.Toml;

/// <summary>Builds the tree under TOML's rules of definition: a table is defined once, a value is never replaced, braces are final.</summary>
/// <remarks>Errors: recorded at the key that broke the rule; the tree stays as it was.</remarks>
internal sealed class TomlTree(List<TomlProblem> problems)
{
    public TomlTable Root { get; } = new(TomlPosition.Start, TomlTableOrigin.Header);

    /// <summary>Opens the table of a <c>[path]</c> header.</summary>
    /// <param name="at">Where the header stands: the place of the table.</param>
    /// <returns>Null when a problem was recorded.</returns>
    public TomlTable? OpenTable(IReadOnlyList<TomlKey> path, TomlPosition at)
    {
        var parent = WalkHeader(path);
        if (parent is null)
        {
            return null;
        }

        var key = path[^1];
        if (!parent.TryGet(key.Name, out var entry))
        {
            var created = new TomlTable(at, TomlTableOrigin.Header);
            parent.Add(key, created);
            return created;
        }

        if (entry.Value is TomlTable { Origin: TomlTableOrigin.Implied } implied)
        {
            implied.DefineAs(TomlTableOrigin.Header);
            return implied;
        }

        return Refuse(key, entry);
    }

    /// <summary>Opens the next table of the list that a <c>[[path]]</c> header names.</summary>
    /// <returns>Null when a problem was recorded.</returns>
    public TomlTable? OpenElement(IReadOnlyList<TomlKey> path, TomlPosition at)
    {
        var parent = WalkHeader(path);
        if (parent is null)
        {
            return null;
        }

        var key = path[^1];
        if (!parent.TryGet(key.Name, out var entry))
        {
            entry = new TomlEntry(key.At, new TomlArray(at, isOpen: true));
            parent.Add(key, entry.Value);
        }

        if (entry.Value is not TomlArray { IsOpen: true } list)
        {
            return Refuse(key, entry);
        }

        var element = new TomlTable(at, TomlTableOrigin.Header);
        list.Add(element);
        return element;
    }

    /// <summary>Sets <c>path = value</c>, creating the tables that a dotted path names.</summary>
    public void Put(TomlTable into, IReadOnlyList<TomlKey> path, TomlValue value)
    {
        var table = into;
        for (var i = 0; i < path.Count - 1; i++)
        {
            var key = path[i];
            if (!table.TryGet(key.Name, out var entry))
            {
                var created = new TomlTable(key.At, TomlTableOrigin.DottedKey);
                table.Add(key, created);
                table = created;
                continue;
            }

            // A table with a header of its own, or in braces, is complete: a dotted key from outside may not reach into it.
            if (entry.Value is not TomlTable { Origin: TomlTableOrigin.DottedKey or TomlTableOrigin.Implied } next)
            {
                Refuse(key, entry);
                return;
            }

            next.DefineAs(TomlTableOrigin.DottedKey);
            table = next;
        }

        var last = path[^1];
        if (table.TryGet(last.Name, out var existing))
        {
            Refuse(last, existing);
            return;
        }

        table.Add(last, value);
    }

    /// <summary>Follows a header's path to the parent of its last part. Lists stand for their newest element.</summary>
    private TomlTable? WalkHeader(IReadOnlyList<TomlKey> path)
    {
        var table = Root;
        for (var i = 0; i < path.Count - 1; i++)
        {
            var key = path[i];
            if (!table.TryGet(key.Name, out var entry))
            {
                var created = new TomlTable(key.At, TomlTableOrigin.Implied);
                table.Add(key, created);
                table = created;
                continue;
            }

            var next = entry.Value is TomlArray { IsOpen: true } list ? list.Items[^1] as TomlTable : entry.Value as TomlTable;
            if (next is null or { Origin: TomlTableOrigin.Inline })
            {
                return Refuse(key, entry);
            }

            table = next;
        }

        return table;
    }

    private TomlTable? Refuse(TomlKey key, TomlEntry earlier)
    {
        problems.Add(new TomlProblem(key.At, $"\"{key.Name}\" is already defined on line {earlier.KeyAt.Line}"));
        return null;
    }
}
