using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>Row S12 on servers: two of them took different branches of one author, and become equal again (statements.md §4.11).</summary>
public sealed class ForkTests : IAsyncDisposable
{
    private readonly MemoryRelayStore _firstStore = new();
    private readonly MemoryRelayStore _secondStore = new();
    private readonly RelayWorld _first;
    private readonly RelayWorld _second;
    private readonly SigningKey _owner;
    private readonly SigningKey _member;
    private readonly SigningKey _witness;
    private readonly DocumentBuilder _document;

    public ForkTests()
    {
        _first = new(_firstStore);
        _second = new(_secondStore, 2);
        (_owner, _member, _witness) = (_first.Tenant(), _first.Device(), _first.Device());
        _second.Tenants.Register(_owner.Public);
        _document = _first.Document(_owner);
    }

    /// <summary>Whichever branch survives, and whether it comes one by one, as one bundle or as many in one request.</summary>
    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    [InlineData(true, 2)]
    public async Task S12_Servers_with_different_branches_freeze_and_become_equal_again(bool firstSurvives, int manner)
    {
        var (one, two) = await ForkedAsync();
        Assert.Equal(Reason.ChainBroken, (await _second.RefuseAsync(_owner, _document, one[0])).Reason);
        await BothAsync(_document.NextDelta(_owner));

        await BothAsync(_document.Next(_witness, ForkProof.Of(one[0], two[0])));
        Assert.Equal(Reason.Equivocation, (await _first.RefuseAsync(_owner, _document, Following(one[^1]))).Reason);
        Assert.Equal(Reason.Equivocation, (await _second.RefuseAsync(_member, _document, Following(two[^1]))).Reason);
        var statement = Next(two[^1]).SignStatement(_member, new Renounce(_document.GrantOf(_member.Public)).Encode());
        Assert.Equal(Reason.Equivocation, (await _second.RefuseAsync(_member, _document, statement)).Reason);
        await BothAsync(_document.NextDelta(_owner));

        var (surviving, losing) = firstSurvives ? (one, two) : (two, one);
        var (holder, other) = firstSurvives ? (_first, _second) : (_second, _first);
        await SettleAsync(surviving[^1]);
        Assert.Equal(Reason.Equivocation, (await other.RefuseAsync(_member, _document, Following(losing[^1]))).Reason);
        Assert.Equal(Reason.ChainBroken, (await other.RefuseAsync(_owner, _document, surviving[1])).Reason);
        Assert.Equal(Reason.ChainBroken, (await holder.RefuseAsync(_owner, _document, losing[0])).Reason);
        await BringAsync(other, surviving, manner);

        // All of it is there now, once; what was there stays, and a third branch does not enter.
        var size = (await StateAsync(other)).Size;
        foreach (var envelope in surviving.Concat(losing)) await other.AcceptAsync(_owner, _document, envelope);
        Assert.Equal(size, (await StateAsync(other)).Size);
        var third = _document.Delta(_member, _document.Draft(_member.Public));
        Assert.Equal(Reason.ChainBroken, (await other.RefuseAsync(_member, _document, third)).Reason);

        var later = Following(surviving[^1]);
        await BothAsync(later, Following(later));
        Assert.Equal((await StateAsync(_first)).Tips[_member.Public].Id, (await StateAsync(_second)).Tips[_member.Public].Id);
        Assert.Equal((await StateAsync(_first)).Statements, (await StateAsync(_second)).Statements);
    }

    /// <summary>Before its end is there nobody can tell a wrong branch from the right one; the right one still comes in.</summary>
    [Fact]
    public async Task S12_A_wrong_branch_does_not_keep_the_right_one_out()
    {
        var (one, two) = await ForkedAsync();
        await BothAsync(_document.Next(_witness, ForkProof.Of(one[0], two[0])));
        await SettleAsync(two[^1]);
        await _first.AcceptAsync(_owner, _document, _document.Delta(_member, _document.Draft(_member.Public)));
        await BringAsync(_first, two, 0);
        await BothAsync(Following(two[^1]));
    }

    public async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        await _firstStore.DisposeAsync();
        await _secondStore.DisposeAsync();
    }

    private async Task<(Envelope[] One, Envelope[] Two)> ForkedAsync()
    {
        await BothAsync(
            _document.Genesis, _document.NextGrant(_owner, _first.Server.Public, Permission.Sync), _document.NextGrant(_owner, _second.Server.Public, Permission.Sync),
            _document.NextGrant(_owner, _member.Public, Permission.Write), _document.NextGrant(_owner, _witness.Public, Permission.Sync));
        await BothAsync(_document.NextDelta(_member));
        var (one, two) = (Branch(), Branch());
        await _first.AcceptAsync(_member, _document, one);
        await _second.AcceptAsync(_member, _document, two);
        return (one, two);
    }

    private Task SettleAsync(Envelope end) => BothAsync(
        _document.Next(_owner, new Revoke(_document.GrantOf(_member.Public), _document.GrantOf(_owner.Public), [new(_member.Public, end.Header.Seq, end.Id)])),
        _document.NextGrant(_owner, _member.Public, Permission.Write));

    private async Task BringAsync(RelayWorld world, Envelope[] branch, int manner)
    {
        if (manner == 1) await world.AcceptAsync(_owner, _document, branch);
        if (manner == 0)
            foreach (var envelope in branch) await world.AcceptAsync(_owner, _document, envelope);
        if (manner < 2) return;
        var results = await world.Relay.PushAsync(
            _owner.Public, _document.Id, [.. branch.Select(envelope => (IReadOnlyList<ReadOnlyMemory<byte>>)[envelope.Bytes])], CancellationToken.None);
        Assert.All(results, result => Assert.True(result.Succeeded, result.Refusal?.ToString()));
    }

    private async Task BothAsync(params Envelope[] bundle)
    {
        await _first.AcceptAsync(_owner, _document, bundle);
        await _second.AcceptAsync(_owner, _document, bundle);
    }

    private async Task<DocumentState> StateAsync(RelayWorld world) => (await world.Store.FindAsync(_document.Id, CancellationToken.None))!;

    private Envelope[] Branch()
    {
        var first = _document.Delta(_member, _document.Draft(_member.Public));
        var second = Following(first);
        return [first, second, Following(second)];
    }

    private Envelope Following(Envelope last) => _document.Delta(_member, Next(last));

    private Draft Next(Envelope last) => _document.Draft(_member.Public) with { Seq = last.Header.Seq + 1, Prev = last.Id };
}
