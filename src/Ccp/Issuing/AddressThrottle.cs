using System.Net;

namespace Ccp.Issuing;

/// <summary>Counts requests by address and minute, so that codes cannot be guessed by the thousand.</summary>
internal sealed class AddressThrottle(int perMinuteMax, TimeProvider time)
{
    // More addresses within a minute than an issuer has customers: from there on all of them are strangers, and share.
    private const int AddressesMax = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _counts = [];
    private long _since = time.GetTimestamp();

    /// <returns>False when this address has asked too often within the minute.</returns>
    public bool Allows(IPAddress address)
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_since) >= TimeSpan.FromMinutes(1))
            {
                _since = time.GetTimestamp();
                _counts.Clear();
            }

            var counted = _counts.Count < AddressesMax || _counts.ContainsKey(address) ? address : IPAddress.None;
            var count = _counts.GetValueOrDefault(counted) + 1;
            _counts[counted] = count;
            return count <= perMinuteMax;
        }
    }
}
