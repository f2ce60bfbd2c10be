using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;
using static Tlfs.Core.Tests.Policy.Scene;

namespace Tlfs.Core.Tests.Policy;

/// <summary>Which envelopes count: cuts, epochs, account keys, auth.</summary>
public sealed class EnvelopesTests
{
    private readonly Scene _scene = new();
    private readonly GrantId _bob;

    public EnvelopesTests() => _bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Write);

    [Fact]
    public void Writer_may_write_once_its_auth_has_the_grant()
    {
        Assert.True(Judge(1, [_bob.Envelope]).Counts);
        Assert.Equal(Verdict.NoGrant, Judge(1, [_scene.Genesis.Envelope]).Verdict);
        Assert.Equal(Verdict.NoGrant, Judge(1, [Envelope("nothing")]).Verdict);
        Assert.Equal(Verdict.NoGrant, Judge(1, [_bob.Envelope], Permission.Control).Verdict);
    }

    [Theory]
    [InlineData(4UL, "bob 4", "bob 5", Verdict.Counts)]
    [InlineData(4UL, "bob 4", null, Verdict.Counts)]
    [InlineData(4UL, "bob 4", "fork 5", Verdict.OffChain)]
    [InlineData(5UL, "bob 5", null, Verdict.Counts)]
    [InlineData(5UL, "fork 5", null, Verdict.OffChain)]
    [InlineData(6UL, "bob 6", "bob 5", Verdict.AfterCut)]
    public void Cut_keeps_what_lies_before_it_on_the_chain_it_names(ulong seq, string id, string? heldAtCut, Verdict verdict)
    {
        var revocation = _scene.Revoke(Alice, _scene.Genesis, _bob, null, new Cut(Alice, 9, Envelope("alice 9")), new Cut(Bob, 5, Envelope("bob 5")));
        var ruling = _scene.View.Judge(
            Bob, seq, Envelope(id), [_bob.Envelope], Permission.Write, (author, at) => author == Bob && at == 5 && heldAtCut is not null ? Envelope(heldAtCut) : null);
        Assert.Equal(verdict, ruling.Verdict);
        Assert.Equal(verdict == Verdict.Counts ? null : revocation, ruling.By);
    }

    [Fact]
    public void Without_a_cut_nothing_of_the_author_counts()
    {
        _scene.Revoke(Alice, _scene.Genesis, _bob);
        Assert.Equal(Verdict.AfterCut, Judge(1, [_bob.Envelope]).Verdict);
    }

    [Fact]
    public void Smallest_cut_of_several_revocations_decides()
    {
        _scene.Revoke(Alice, _scene.Genesis, _bob, null, new Cut(Bob, 5, Envelope("bob 5")));
        _scene.Revoke(Alice, _scene.Genesis, _bob, null, new Cut(Bob, 3, Envelope("bob 3")));
        Assert.True(Judge(3, [_bob.Envelope]).Counts);
        Assert.Equal(Verdict.AfterCut, Judge(4, [_bob.Envelope]).Verdict);
    }

    [Fact]
    public void Another_grant_is_not_cut()
    {
        var again = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Write);
        _scene.Revoke(Alice, _scene.Genesis, _bob);
        Assert.True(Judge(7, [again.Envelope]).Counts);
    }

    [Fact]
    public void Renounce_ends_writing_after_it_only()
    {
        var renounce = _scene.Renounce(Bob, _bob);
        Assert.True(Judge(1, [_bob.Envelope]).Counts);
        Assert.Equal(new Ruling(Verdict.Renounced, renounce), Judge(2, [renounce]));
    }

    [Fact]
    public void Epoch_follows_from_those_before_it()
    {
        var zero = _scene.Add(Bob, Epoch(0));
        var other = _scene.Add(Alice, Epoch(0), [_scene.Genesis.Envelope]);
        EnvelopeId[] both = [.. new[] { zero, other }.Order()];
        var one = _scene.Add(Bob, Epoch(1, both));
        Assert.True(_scene.Judge(Bob, Epoch(2, one)).Counts);
        Assert.Equal(Verdict.BadEpoch, _scene.Judge(Bob, Epoch(1, one)).Verdict);
        Assert.Equal(Verdict.BadEpoch, _scene.Judge(Bob, Epoch(2, zero)).Verdict);
        Assert.Equal(Verdict.NotInPast, _scene.Judge(Bob, Epoch(1, other), [zero]).Verdict);
        Assert.Equal(Verdict.NotInPast, _scene.Judge(Bob, Epoch(1, _bob.Envelope)).Verdict);
    }

    [Fact]
    public void Rotate_and_wrap_need_write()
    {
        var carol = _scene.Grant(Alice, _scene.Genesis, Carol, Permission.Read);
        var epoch = _scene.Add(Bob, Epoch(0));
        Assert.Equal(Verdict.NoGrant, _scene.Judge(Carol, Epoch(0)).Verdict);
        Assert.Equal(Verdict.NoGrant, _scene.Judge(Carol, new Wrap(ZoneId.Root, epoch, [], [])).Verdict);
        Assert.True(_scene.Judge(Bob, new Wrap(ZoneId.Root, epoch, [], [])).Counts);
        Assert.Equal(Verdict.NotInPast, _scene.Judge(Bob, new Wrap(ZoneId.Root, carol.Envelope, [], [])).Verdict);
    }

    [Fact]
    public void Account_key_needs_own_in_an_account_document()
    {
        var key = new AccountKey(1, Bob.Value, 0);
        var account = new Scene(DocumentKind.Account);
        account.Grant(Alice, account.Genesis, Bob, Permission.Control);
        Assert.True(account.Judge(Alice, key).Counts);
        Assert.Equal(Verdict.NoGrant, account.Judge(Bob, key).Verdict);
        Assert.Equal(Verdict.NotAccountDocument, _scene.Judge(Alice, key).Verdict);
    }

    [Fact]
    public void Auth_covers_the_past_of_its_heads()
    {
        var left = _scene.Grant(Alice, _scene.Genesis, Carol, Permission.Read, [_bob.Envelope]).Envelope;
        var right = _scene.Grant(Alice, _scene.Genesis, Dave, Permission.Read, [_bob.Envelope]).Envelope;
        Assert.Equal([left, right], _scene.Set.Heads);
        Assert.True(_scene.Set.Covers([left], _bob.Envelope));
        Assert.True(_scene.Set.Covers([left], left));
        Assert.False(_scene.Set.Covers([left], right));
        Assert.False(_scene.Set.Covers([_bob.Envelope], left));
        Assert.True(_scene.Set.Covers([left, right], [_bob.Envelope, right]));
        Assert.False(_scene.Set.Covers([left], [_bob.Envelope, right]));
        Assert.False(_scene.Set.Covers([left], Envelope("nothing")));
    }

    [Fact]
    public void Auth_for_an_envelope_covers_what_it_must_within_the_limit()
    {
        var heads = Enumerable.Range(0, 40).Select(_ => _scene.Grant(Alice, _scene.Genesis, Carol, Permission.Read, [_bob.Envelope]).Envelope).ToList();
        var auth = _scene.Set.AuthFor([heads[39], _bob.Envelope]);
        Assert.Equal(Limits.Auth, auth.Count);
        Assert.Equal(auth.Order(), auth);
        Assert.True(_scene.Set.Covers(auth, [heads[39], _bob.Envelope]));
        Assert.Equal(heads.Skip(10).Take(16).Order(), _scene.Set.AuthFor([.. heads.Skip(10).Take(16)]));
    }

    private static Rotate Epoch(int number, params EnvelopeId[] previous) => new(ZoneId.Root, number, previous, default, default, [], []);

    private Ruling Judge(ulong seq, IReadOnlyList<EnvelopeId> auth, Permission needed = Permission.Write) =>
        _scene.View.Judge(Bob, seq, Envelope($"bob {seq}"), auth, needed, NoChain);
}
