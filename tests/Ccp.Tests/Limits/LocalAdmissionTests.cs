using System.Net;
using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Limits;
using Ccp.Refusals;
using Ccp.Tests.Identity;
using Ccp.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Tests.Limits;

/// <summary>Whose a call is where no token is needed.</summary>
public sealed class LocalAdmissionTests
{
    private readonly UserDirectory _users = new();
    private readonly User _local = AccessTokenTests.Someone(2, AuthConfig.LocalUser, "token of local");

    public LocalAdmissionTests() => _users.Replace([AccessTokenTests.Someone(1, "alice", "token"), _local]);

    [Fact]
    public void Without_a_token_it_is_the_local_user_s_and_with_one_its_holder_s()
    {
        var admission = Admission(isLocal: true);

        Assert.Equal("local", Name(admission, null));
        Assert.Equal("alice", Name(admission, "token"));
        Assert.Equal("local", Name(admission, "token of local"));
    }

    [Fact]
    public void With_tokens_a_call_without_one_is_nobody_s()
    {
        Assert.Equal(RefusalCode.TokenUnknown, Refusal(Admission(isLocal: false), null).Code);
    }

    [Fact]
    public void A_wrong_token_is_nobody_s_in_local_mode_too_and_is_counted()
    {
        var admission = Admission(isLocal: true);

        for (var attempt = 0; attempt < 2; attempt++)
        {
            var refusal = Refusal(admission, "wrong");
            Assert.Equal(RefusalCode.TokenUnknown, refusal.Code);
            Assert.Contains("x-ccp-token", refusal.Message, StringComparison.Ordinal);
        }

        Assert.Equal(RefusalCode.TooManyFailedTokens, Refusal(admission, "wrong").Code);
        Assert.Equal("local", Name(admission, null));
    }

    [Fact]
    public void A_local_user_who_is_disabled_or_not_there_is_not_served()
    {
        var admission = Admission(isLocal: true);

        _users.Replace([_local with { IsDisabled = true }]);
        Assert.Equal(RefusalCode.UserDisabled, Refusal(admission, null).Code);
        _users.Replace([]);
        Assert.Equal(RefusalCode.TokenUnknown, Refusal(admission, null).Code);
    }

    /// <summary>What administration asks with: nobody is anybody there without a token.</summary>
    [Fact]
    public void Where_a_token_is_always_needed_local_mode_changes_nothing()
    {
        Assert.False(Admission(isLocal: true).Identify(null, IPAddress.Loopback).Allows(out _, out var refusal));
        Assert.Equal(RefusalCode.TokenUnknown, refusal.Code);
    }

    private Admission Admission(bool isLocal) => new(_users, new AuthConfig(2, isLocal), new ManualClock(), NullLogger.Instance);

    private static string Name(Admission admission, string? token)
    {
        Assert.True(admission.IdentifyCaller(token, IPAddress.Loopback).Allows(out var user, out _));
        return user.Name;
    }

    private static Refusal Refusal(Admission admission, string? token)
    {
        Assert.False(admission.IdentifyCaller(token, IPAddress.Loopback).Allows(out _, out var refusal));
        return refusal;
    }
}
