using System.Buffers.Binary;
using System.Security.Cryptography;
using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Xunit;

namespace Tlfs.Core.Tests.Crdt;

/// <summary>An applied part, as it travels between replicas.</summary>
internal sealed record Delta(EnvelopeId Id, IReadOnlyList<Operation> Operations);

/// <summary>A state with an author who edits it. Envelope ids are hashes of author and number.</summary>
internal sealed class Replica(LensList list, ulong author)
{
    private readonly SeededEntropy _entropy = new(author);
    private ulong _count;

    public DocumentState State { get; } = new();

    public LensList List { get; set; } = list;

    public string Json => Show();

    public string Show(string path = ".", bool allValues = false) => JsonView.Text(List.View, State, path, allValues);

    public Delta Edit(Action<Transaction> edit)
    {
        IReadOnlyList<Operation> operations;
        using (var transaction = new Transaction(State, List.View, _entropy))
        {
            edit(transaction);
            operations = transaction.Build();
        }

        var delta = new Delta(Id(author, _count++), operations);
        foreach (var operation in operations) Assert.True(OperationCheck.Fits(List.View, operation, out var why), why.Detail);
        Assert.True(Receive(delta));
        return delta;
    }

    public Delta Set(string path, string json) => Edit(edit => edit.Set(path, Core.Crdt.Json.Parse(json)));

    public Delta Insert(string path, int index, string json) => Edit(edit => edit.Insert(path, index, Core.Crdt.Json.Parse(json)));

    public Delta Move(string path, int from, int to) => Edit(edit => edit.Move(path, from, to));

    public Delta Remove(string path) => Edit(edit => edit.Remove(path));

    public bool Receive(Delta delta) => State.Apply(delta.Id, 0, delta.Operations);

    public void Receive(params ReadOnlySpan<Delta> deltas)
    {
        foreach (var delta in deltas) Receive(delta);
    }

    public static EnvelopeId Id(ulong author, ulong number)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, author);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), number);
        return new(new Bytes32(SHA256.HashData(bytes)));
    }
}
