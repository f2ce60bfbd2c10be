using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Core.Tests.Crdt.Laws;

public sealed class OperationFuzz
{
    private static readonly List<Operation> Good = Operations();

    [Fact]
    public void F1_Operations_survive_hostile_bytes() =>
        Fuzz.Decode<Operation>(3, 200_000, [.. Good.Select(operation => operation.Encode())], Operation.TryDecode, operation => operation.Encode());

    [Fact]
    public void Operations_survive_their_codec()
    {
        foreach (var operation in Good)
        {
            Assert.True(Operation.TryDecode(operation.Encode(), out var decoded, out _));
            Assert.Equal(operation, decoded);
        }
    }

    [Fact]
    public void Whatever_decodes_and_fits_can_be_applied_shown_and_taken_back()
    {
        var entropy = new SeededEntropy(4);
        var state = new DocumentState();
        var empty = state.StateHash();
        var applied = 0;
        for (var i = 0; i < 50_000; i++)
        {
            var bytes = Fuzz.Mutate(entropy, Good[entropy.Below(Good.Count)].Encode());
            if (!Operation.TryDecode(bytes, out var operation, out _) || !OperationCheck.Fits(Schemas.Everything.View, operation, out _)) continue;
            Assert.True(state.Apply(Replica.Id(1, (ulong)applied++), 0, [operation]));
        }

        Assert.NotEmpty(JsonView.Text(Schemas.Everything.View, state, allValues: true));
        for (var i = 0; i < applied; i++) Assert.True(state.Unapply(Replica.Id(1, (ulong)i), 0));
        Assert.Equal(empty, state.StateHash());
        Assert.True(applied > 100);
    }

    private static List<Operation> Operations()
    {
        var replica = new Replica(Schemas.Everything, 1);
        var entropy = new SeededEntropy(9);
        var operations = new List<Operation> { new SchemaOperation(new SchemaVersion(1, 0, 0), Schemas.Tour) };
        for (var i = 0; i < 60; i++)
            if (RandomEdit.Make(replica, entropy) is { } delta) operations.AddRange(delta.Operations);
        operations.AddRange(replica.Set(".", """
            {"bool":true,"bytes":"/+4=","f64":-0.1,"i64":-9223372036854775808,"text":"é😀","u64":18446744073709551615,"byI64":{"1":{"name":"x"}},"byBytes":{"AAE=":[true]}}
            """).Operations);
        return operations;
    }
}
