namespace Ccp.Licensing.Tests;

public sealed class Ed25519Tests
{
    /// <summary>RFC 8032, section 7.1: tests 1, 2 and 3.</summary>
    [Theory]
    [InlineData(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")]
    [InlineData(
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")]
    [InlineData(
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")]
    public void The_vectors_of_the_standard_hold(string seed, string publicKey, string message, string signature)
    {
        var key = Convert.FromHexString(seed);
        var text = Convert.FromHexString(message);

        Assert.Equal(publicKey, Convert.ToHexStringLower(Ed25519.PublicKeyOf(key)));
        Assert.Equal(signature, Convert.ToHexStringLower(Ed25519.Sign(text, key)));
        Assert.True(Ed25519.Verify(text, Convert.FromHexString(signature), Convert.FromHexString(publicKey)));
    }

    [Fact]
    public void What_one_key_signed_that_key_and_no_other_verifies()
    {
        var random = new Random(1);
        var (mine, other) = (new byte[32], new byte[32]);
        for (var round = 0; round < 200; round++)
        {
            random.NextBytes(mine);
            random.NextBytes(other);
            var message = new byte[random.Next(300)];
            random.NextBytes(message);
            var signature = Ed25519.Sign(message, mine);

            Assert.True(Ed25519.Verify(message, signature, Ed25519.PublicKeyOf(mine)));
            Assert.False(Ed25519.Verify(message, signature, Ed25519.PublicKeyOf(other)));
            Assert.False(Ed25519.Verify([.. message, 0], signature, Ed25519.PublicKeyOf(mine)));
        }
    }

    [Theory]
    [InlineData(0, 32)]
    [InlineData(63, 32)]
    [InlineData(65, 32)]
    [InlineData(64, 0)]
    [InlineData(64, 31)]
    [InlineData(64, 33)]
    [InlineData(64, 32)]
    public void Signatures_and_keys_of_any_length_are_refused_without_a_fault(int signature, int key)
    {
        Assert.False(Ed25519.Verify("x"u8, new byte[signature], new byte[key]));
    }

    [Fact]
    public void A_seed_of_another_length_is_a_bug()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Ed25519.Sign("x"u8, new byte[31]));
    }
}
