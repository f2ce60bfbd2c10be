using System.Reflection;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

namespace CloudPeer.Api.Tests.Server;

/// <summary>Runs a theory with each <see cref="StoreKind"/> as its only argument.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BothStoresAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>([.. Enum.GetValues<StoreKind>().Select(store => new TheoryDataRow<StoreKind>(store))]);

    public override bool SupportsDiscoveryEnumeration() => true;
}
