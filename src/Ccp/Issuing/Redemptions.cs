using System.Buffers;
using System.Text.Json;
using Ccp.Files;

namespace Ccp.Issuing;

/// <summary>How often each invite was redeemed, in a file: it survives restarts, and several issuers may share it.</summary>
/// <remarks>
/// A redemption is on disk before its license is signed: a crash between the two loses a license, never the count.
/// Errors: <see cref="IOException"/> when the file cannot be read or written; then nothing may be issued.
/// </remarks>
internal sealed class Redemptions(string path) : IDisposable
{
    private static readonly TimeSpan WaitForOthersMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(5);

    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    /// <returns>How many have been redeemed now, this one included; null when all were before.</returns>
    public async Task<long?> TakeAsync(string code, long max)
    {
        await _oneAtATime.WaitAsync();
        try
        {
            using var held = await LockAsync();
            var counts = Read();
            var count = counts.GetValueOrDefault(code) + 1;
            if (count > max)
            {
                return null;
            }

            counts[code] = count;
            DurableFile.Write(path, Json(counts), overwrite: true);
            return count;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>As it stands; another may be quicker.</summary>
    public bool IsUsedUp(string code, long max) => Read().GetValueOrDefault(code) >= max;

    public void Dispose() => _oneAtATime.Dispose();

    /// <summary>The file of the counts is replaced each time, so the lock is on another beside it. The kernel frees it with the process.</summary>
    private async Task<FileStream> LockAsync()
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (TimeProvider.System.GetElapsedTime(started) < WaitForOthersMax)
            {
                await Task.Delay(LookAgainAfter);
            }
        }
    }

    private SortedDictionary<string, long> Read()
    {
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        if (!File.Exists(path))
        {
            return counts;
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            foreach (var member in document.RootElement.EnumerateObject())
            {
                counts.Add(member.Name, member.Value.GetInt64());
            }

            return counts;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new IOException($"{path} does not hold counts of redemptions. Restore it from a backup; without it every invite would be new again.", error);
        }
    }

    private static ReadOnlySpan<byte> Json(SortedDictionary<string, long> counts)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        foreach (var (code, count) in counts)
        {
            json.WriteNumber(code, count);
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan;
    }
}
