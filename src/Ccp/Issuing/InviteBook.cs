using System.Text;
using Ccp.Configuration;
using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Issuing;

/// <summary>The invites of a file, read again when it changes. A bad change keeps the invites that stood, and is logged.</summary>
internal sealed class InviteBook
{
    // Tens of thousands of invites.
    private const int BytesMax = 4 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly ILogger _log;
    private IReadOnlyDictionary<string, Invite> _invites;
    private (DateTime WrittenAt, long Length, UnixFileMode Mode) _readFrom;

    /// <exception cref="InvalidOperationException">The file is wrong; the message has every problem on a line of its own.</exception>
    /// <exception cref="IOException">The file cannot be read, or others can read it too.</exception>
    public InviteBook(string path, ILogger log)
    {
        _path = path;
        _log = log;
        _readFrom = Stamp();
        _invites = Load(out var problems) ?? throw new InvalidOperationException(problems);
    }

    public int Count => _invites.Count;

    public Invite? Find(string code)
    {
        lock (_lock)
        {
            var stamp = Stamp();
            if (stamp != _readFrom)
            {
                _readFrom = stamp;
                Reload();
            }

            return _invites.GetValueOrDefault(code);
        }
    }

    private void Reload()
    {
        try
        {
            if (Load(out var problems) is { } invites)
            {
                _invites = invites;
            }
            else
            {
                _log.IssuerFailed($"the invites stay as they were: {problems}");
            }
        }
        catch (IOException error)
        {
            _log.IssuerFailed($"the invites stay as they were: {error.Message}");
        }
    }

    private IReadOnlyDictionary<string, Invite>? Load(out string problems)
    {
        // Whoever knows a code has its license.
        var file = SecretFile.ReadUpTo(BytesMax, _path);
        if (file.Content is null)
        {
            throw new IOException($"The invites file {_path} {file.Refusal}.");
        }

        var (invites, found) = InviteFile.Read(_path, Encoding.UTF8.GetBytes(file.Content));
        problems = string.Join('\n', found);
        return invites;
    }

    /// <summary>With the mode: once it is mended the file is read again, and neither its time nor its length tell.</summary>
    private (DateTime WrittenAt, long Length, UnixFileMode Mode) Stamp() =>
        new FileInfo(_path) is { Exists: true } file ? (file.LastWriteTimeUtc, file.Length, file.UnixFileMode) : default;
}
