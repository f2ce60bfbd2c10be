using CloudPeer.Sync.Log;
using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Sync.Tests.Log;

/// <summary>What proves to anybody that a server lied, and what does not (docs/protocol/log.md §5, §6).</summary>
public sealed class EvidenceTests : IDisposable
{
    private const ulong Minute = 60_000_000;
    private readonly SigningKey _server = SigningKey.Generate(new SeededEntropy(1));
    private readonly DocId _document = new(Some(1));

    [Fact]
    public void A_generation_has_the_signature_of_the_known_answer()
    {
        // Made from the text of log.md §6.1 with another implementation of BLAKE2b and Ed25519.
        const string Expected =
            "a4291f2d1a7dd9656a4ad54dcdf2a381c846c4409e0fb71697914227aa5a97301d7e8a79985db5b0af71f729aedf4c024dec5e3a170392aea95b35ec059bbf0c";
        using var key = new SigningKey([.. Enumerable.Repeat((byte)7, 32)]);
        var generation = Generation.Sign(key, new(Some(1)), 2, 3, Some(4), 5);
        Assert.Equal(Expected, Convert.ToHexStringLower(generation.Signature));
        Assert.True(generation.Verify());
        Assert.All(
            new[]
            {
                generation with { Document = new(Some(2)) }, generation with { Number = 3 }, generation with { Size = 4 }, generation with { Root = Some(5) },
                generation with { Micros = 6 }, generation with { Server = _server.Public },
            },
            changed => Assert.False(changed.Verify()));
    }

    [Fact]
    public void For_all_pairs_of_logs_up_to_nine_a_fork_is_proven_iff_neither_is_the_beginning_of_the_other()
    {
        for (var size = 1; size <= 9; size++)
        {
            for (var other = size; other <= 9; other++)
            {
                for (var change = -1; change < size; change++)
                {
                    var one = Ids(size);
                    var two = Ids(other, change);
                    var evidence = Fork(Head(one), Head(two), size == other ? null : Prefix(two, size));
                    Assert.Equal(change >= 0, Again(evidence).Verify());
                }
            }
        }
    }

    [Fact]
    public void Two_sizes_without_what_the_longer_begins_with_prove_nothing()
    {
        var (one, two) = (Ids(3), Ids(5, 1));
        Assert.False(Fork(Head(one), Head(two), null).Verify());
        Assert.False(Fork(Head(one), Head(two), Prefix(one.Concat(Ids(5)[3..]).ToArray(), 3)).Verify());
        Assert.False(Fork(Head(two), Head(one), Prefix(two, 3)).Verify());
    }

    [Fact]
    public void What_the_server_did_not_sign_proves_nothing()
    {
        using var other = SigningKey.Generate(new SeededEntropy(2));
        var (one, two) = (Head(Ids(3)), Head(Ids(3, 2)));
        Assert.True(Fork(one, two, null).Verify());
        Assert.False(Fork(one, two with { Micros = 6 }, null).Verify());
        Assert.False(Fork(one, LogHead.Sign(other, _document, 3, Root(Ids(3, 2)), 5), null).Verify());
        Assert.False(Fork(one, LogHead.Sign(_server, new(Some(9)), 3, Root(Ids(3, 2)), 5), null).Verify());
        Assert.False(Fork(one, one, null).Verify());
    }

    [Fact]
    public void A_receipt_and_a_head_prove_a_fork()
    {
        var ids = Ids(3);
        var leaf = new ReceiptLeaf(_document, new(ids[2]), 2, 3, Root(ids), 7);
        var receipt = new ReceiptStatement(ReceiptBatch.Sign(_server, [leaf, leaf with { Micros = 8 }, leaf with { Micros = 9 }])[1]);
        var evidence = new Evidence(EvidenceKind.Fork, _document, _server.Public, [receipt, new HeadStatement(Head(Ids(5, 2)))], [], Prefix(Ids(5, 2), 3));
        Assert.True(Again(evidence).Verify());
    }

    [Fact]
    public void A_shorter_log_proves_a_rollback_only_ten_minutes_later_by_the_servers_clock()
    {
        var (earlier, later) = (Head(Ids(5), Minute), Head(Ids(3), 11 * Minute));
        Assert.True(Again(Rollback(earlier, later)).Verify());
        Assert.False(Rollback(earlier, Head(Ids(3), 11 * Minute - 1)).Verify());
        Assert.False(Rollback(later, earlier).Verify());
        Assert.False(Rollback(Head(Ids(5), 20 * Minute), later).Verify());
        Assert.False((Rollback(earlier, later) with { Generations = [Began(1, Ids(3), 2 * Minute)] }).Verify());
        Assert.True((Rollback(earlier, later) with { Generations = [Began(1, Ids(4), 2 * Minute)] }).Verify());
        Assert.True((Rollback(earlier, later) with { Generations = [Began(1, Ids(3), 12 * Minute)] }).Verify());
    }

    [Fact]
    public void A_restore_between_two_logs_explains_what_lies_beyond_it_and_nothing_before()
    {
        var (earlier, later) = (Head(Ids(5), Minute), Head(Ids(5, 3), 3 * Minute));
        var evidence = Fork(earlier, later, null);
        Assert.True(evidence.Verify());
        Assert.False((evidence with { Generations = [Began(1, Ids(3), 2 * Minute)] }).Verify());
        Assert.True((evidence with { Generations = [Began(1, Ids(5), 2 * Minute)] }).Verify());
        Assert.True((evidence with { Generations = [Began(1, Ids(3), 4 * Minute)] }).Verify());
        Assert.True((Fork(Head(Ids(3), Minute), Head(Ids(5, 1), 3 * Minute), Prefix(Ids(5, 1), 3)) with { Generations = [Began(1, Ids(3), 2 * Minute)] }).Verify());
    }

    [Fact]
    public void Two_generations_of_one_number_are_a_fork_and_what_a_restore_lost_is_proven_by_what_was_signed_before()
    {
        var (one, two) = (Began(1, Ids(3), Minute), Began(1, Ids(4), Minute));
        Assert.True(Again(new(EvidenceKind.Fork, _document, _server.Public, [new GenerationStatement(one), new GenerationStatement(two)], [])).Verify());
        Assert.False(new Evidence(EvidenceKind.Fork, _document, _server.Public, [new GenerationStatement(one), new GenerationStatement(one)], []).Verify());
        var lost = new Evidence(EvidenceKind.Restored, _document, _server.Public, [new HeadStatement(Head(Ids(5), Minute - 1))], [one]);
        Assert.True(Again(lost).Verify());
        Assert.False((lost with { Statements = [new HeadStatement(Head(Ids(3), Minute - 1))] }).Verify());
        Assert.False((lost with { Generations = [] }).Verify());
    }

    [Fact]
    public void Any_byte_changed_is_refused_or_proves_nothing()
    {
        var bytes = Fork(Head(Ids(3)), Head(Ids(5, 1)), Prefix(Ids(5, 1), 3)).Encode();
        for (var i = 0; i < bytes.Length; i++)
        {
            var changed = bytes.ToArray();
            changed[i] ^= 1;
            Assert.False(Evidence.TryDecode(changed, out var evidence, out _) && evidence.Verify(), $"byte {i}");
        }
    }

    public void Dispose() => _server.Dispose();

    private static Bytes32 Some(byte number) => new([.. Enumerable.Repeat(number, 32)]);

    private static Bytes32[] Ids(int count, int changed = -1) => [.. Enumerable.Range(0, count).Select(i => Some((byte)(i == changed ? 200 : i)))];

    private static Bytes32 Root(Bytes32[] ids) => MerkleTree.Root([.. ids.Select(MerkleTree.Leaf)]);

    private static LogPrefix Prefix(Bytes32[] ids, int size) => new(Root(ids[..size]), MerkleTree.ConsistencyProof([.. ids.Select(MerkleTree.Leaf)], size));

    private static Evidence Again(Evidence evidence)
    {
        Assert.True(Evidence.TryDecode(evidence.Encode(), out var again, out _));
        Assert.Equal(evidence.Encode(), again.Encode());
        return again;
    }

    private LogHead Head(Bytes32[] ids, ulong micros = 5) => LogHead.Sign(_server, _document, (ulong)ids.Length, Root(ids), micros);

    private Generation Began(uint number, Bytes32[] ids, ulong micros) => Generation.Sign(_server, _document, number, (ulong)ids.Length, Root(ids), micros);

    private Evidence Fork(LogHead one, LogHead other, LogPrefix? prefix) =>
        new(EvidenceKind.Fork, _document, _server.Public, [new HeadStatement(one), new HeadStatement(other)], [], prefix);

    private Evidence Rollback(LogHead earlier, LogHead later) =>
        new(EvidenceKind.Rollback, _document, _server.Public, [new HeadStatement(earlier), new HeadStatement(later)], []);
}
